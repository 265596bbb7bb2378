"""couachgptctl, the operator's command line."""
