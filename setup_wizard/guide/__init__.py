"""What is asked step by step, checked live, and kept sealed until the finish."""
