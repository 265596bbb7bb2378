"""Programs that build and release CouachGPT; none of them is in the wheel."""
