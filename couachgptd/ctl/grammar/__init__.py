"""The words of the command line, area by area; what they do is elsewhere, and imported late."""
