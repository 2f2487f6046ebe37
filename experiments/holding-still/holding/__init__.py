"""What the tool that measures how colours hold still is made of."""
