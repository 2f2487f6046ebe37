"""What the comparison of upsampling methods is made of; see tools/compare_upsampling.py."""
