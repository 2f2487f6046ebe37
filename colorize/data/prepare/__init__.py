"""``colorize-prepare``: from films and folders of frames to clips to train on."""
