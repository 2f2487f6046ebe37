"""Numbers for the page's scripts: a JSON head and arrays, in one answer."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from starlette.responses import Response

from colorize.app.error import PageError


def packed(head: Mapping[str, Any], arrays: Sequence[np.ndarray]) -> Response:
    """Return an answer that ``getArrays`` of the page's ``api.js`` reads.

    Four bytes say how long the head is (little endian), then come the head and the arrays, each
    from a multiple of four bytes on; ``arrays`` of the head holds their types and lengths.
    """
    known = [[each.dtype.name, each.size] for each in arrays]
    text = json.dumps({**head, "arrays": known}).encode()
    text += b" " * (-len(text) % 4)
    body = len(text).to_bytes(4, "little") + text
    for each in arrays:
        body += np.ascontiguousarray(each).tobytes() + b"\0" * (-each.nbytes % 4)
    headers = {"Content-Encoding": "gzip", "Cache-Control": "no-store"}
    content = gzip.compress(body, compresslevel=1, mtime=0)
    return Response(content, media_type="application/octet-stream", headers=headers)


def unpacked(body: bytes, shape: tuple[int, int]) -> np.ndarray:
    """Return the 16-bit numbers, ``shape`` of them, of a body that gzip made smaller.

    Raises:
        PageError: It is something else.
    """
    size = 2 * shape[0] * shape[1]
    reading = zlib.decompressobj(wbits=31)
    try:
        content = reading.decompress(body, size + 1)
    except zlib.error as error:
        raise PageError("the layer did not come whole; try again") from error
    if len(content) != size or not reading.eof:
        raise PageError(f"a layer of another size came: expected {size} bytes")
    return np.frombuffer(content, "<u2").astype(np.uint16).reshape(shape)
