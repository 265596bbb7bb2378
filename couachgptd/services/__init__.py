"""The verbs that pages, sockets and the command line share; they talk to ports only."""
