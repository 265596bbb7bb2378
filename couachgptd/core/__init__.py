"""The domain: what CouachGPT decides, with the standard library only and no I/O."""
