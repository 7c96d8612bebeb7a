"""Turn the images and clips that lie beside three of the real models into .npz files for the measurements.

usage: prepare-data.py MODELS OUTDIR
Writes kwt1_wave.npz, ultraface_rfb320.npz and nanodet_coco.npz with `calib/<input>` and `eval/<input>`, float32, axis 0
counts the samples. Photos are few, so their mirror images calibrate and the photos themselves evaluate.
"""

import pathlib
import sys

import numpy as np
from PIL import Image, ImageOps


def photos(folder, width, height):
    """uint8 RGB [n, height, width, 3], in the order of the file names."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".jpeg", ".png"))
    opened = (ImageOps.exif_transpose(Image.open(file)).convert("RGB") for file in files)
    return np.stack([np.asarray(image.resize((width, height), Image.BILINEAR)) for image in opened])


def save_photos(path, name, pixels):
    channels_first = pixels.transpose(0, 3, 1, 2).astype("f4")
    np.savez(path, **{f"calib/{name}": channels_first[..., ::-1], f"eval/{name}": channels_first})


def main(models, out):
    out.mkdir(parents=True, exist_ok=True)
    clips = np.load(models / "kwt1_speech/clips.npz")
    waves = {
        "calib/t0": clips["calib_wave_int16"].astype("f4") / 32768,
        "eval/t0": clips["wave_int16"].astype("f4") / 32768,
        "labels": clips["label"].astype("i8"),
    }
    np.savez(out / "kwt1_wave.npz", **waves)
    faces = photos(models / "ultraface_rfb320/images", 320, 240)
    save_photos(out / "ultraface_rfb320.npz", "input", (faces.astype("f4") - 127) / 128)
    scenes = photos(models / "nanodet_coco/images", 416, 416)[..., ::-1].astype("f4")
    mean, deviation = np.array([103.53, 116.28, 123.675]), np.array([57.375, 57.12, 58.395])
    save_photos(out / "nanodet_coco.npz", "input.1", (scenes - mean) / deviation)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
