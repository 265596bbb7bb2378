"""CouachGPT: the private AI chat that a company runs on a plain server."""

__version__ = "0.1.0"
