"""Images: by pixel, with whatever decoder is there.

Synopsis:
    image(found, "first/plot.png", "second/plot.png")
"""

from __future__ import annotations

from typing import Any

from repro.reader.blocks import library, of_array
from repro.reader.tensor_findings import TensorFindings


def image(found: TensorFindings, left: str, right: str) -> None:
    """Compares two images by pixel; the way of packing and texts inside play no part."""
    (one, mode), (other, other_mode) = (_pixels(path) for path in (left, right))
    found.equal("mode", mode, other_mode)
    if mode == other_mode:
        found.compare("pixels", of_array(one), of_array(other))


def _pixels(path: str) -> tuple[Any, Any]:
    np = library("numpy")
    try:
        image_of = library("PIL.Image").open
    except ModuleNotFoundError:
        pass
    else:
        with image_of(path) as picture:
            return np.asarray(picture), (picture.mode, picture.getpalette())
    try:
        tf = library("tensorflow")
    except ModuleNotFoundError:
        return library("matplotlib.image").imread(path), ""
    with open(path, "rb") as file:  # noqa: PTH123
        return tf.io.decode_png(file.read(), dtype=tf.uint16).numpy(), ""
