"""What losses derive from the true frames of a clip: flow, segments, neighbours."""
