"""What the tool that measures the snapping of fills is made of."""
