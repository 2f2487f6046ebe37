"""Films: decoded and encoded through PyAV, whole or in parts."""
