"""Where this process is in its life, and what the workers of a pod know of each other."""
