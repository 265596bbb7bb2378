"""The operator's verbs: what the control socket offers to command line and admin page."""
