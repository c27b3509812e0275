"""Records, verdict and what is made of them; nothing here contacts the target."""
