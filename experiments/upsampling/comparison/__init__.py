"""What the comparison of upsampling methods is made of; see compare_upsampling.py."""
