"""What the experiments on painting a film share: films whose true colours are known."""
