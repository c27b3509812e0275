"""How the reference release is started, watched and ended."""
