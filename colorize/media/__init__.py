"""Read and write frames: folders of pictures, videos with their sound, single images.

Frames stream one at a time, never the whole film in memory, and what is written appears whole or
not at all. Every error of a file is a :class:`MediaError` of one line.

May import base and imaging.
"""

from colorize.media.error import MediaError
from colorize.media.fingerprint import fingerprint
from colorize.media.frame import Frame, Picture, Sink, Source
from colorize.media.opening import VIDEO_SUFFIXES, check_output, open_sink, open_source
from colorize.media.pictures.coding import IMAGE_SUFFIXES
from colorize.media.video.clock import VideoLook
from colorize.media.video.film import write_video
from colorize.media.video.parts import PART_SUFFIX, PartSink, concatenate_parts
from colorize.media.video.source import VideoSource

__all__ = [
    "IMAGE_SUFFIXES",
    "PART_SUFFIX",
    "VIDEO_SUFFIXES",
    "Frame",
    "MediaError",
    "PartSink",
    "Picture",
    "Sink",
    "Source",
    "VideoLook",
    "VideoSource",
    "check_output",
    "concatenate_parts",
    "fingerprint",
    "open_sink",
    "open_source",
    "write_video",
]
