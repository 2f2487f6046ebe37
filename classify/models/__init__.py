"""One network per source, a modern one to compare with, and torchvision's as backbones."""

from classify.models.anime_girl import AnimeGirl
from classify.models.backbone import Backbone
from classify.models.cifar import Cifar
from classify.models.compact import Compact
from classify.models.emotion import Emotion
from classify.models.expressions import Expressions
from classify.models.mnist import Mnist
from classify.models.mona import Mona

__all__ = [
    "AnimeGirl",
    "Backbone",
    "Cifar",
    "Compact",
    "Emotion",
    "Expressions",
    "Mnist",
    "Mona",
]
