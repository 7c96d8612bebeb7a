"""`python audio-peer.py FOLDER`: writes recordings of random shapes with soundfile (libsndfile) into the folder, and
expected.json with what soundfile reads from them and what resampling them gives. Needs numpy and soundfile; uses
torchaudio to resample where it is installed, otherwise the same computation in numpy."""
import json
import math
import pathlib
import sys

import numpy as np
import soundfile

ENCODINGS = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"]
RATES = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000]


def resample_numpy(samples, old, new):
    """A bank of filters, one a phase, applied to windows of the padded signal, as in torchaudio.functional.resample."""
    divisor = math.gcd(old, new)
    old, new = old // divisor, new // divisor
    base = min(old, new) * 0.99
    width = math.ceil(6 * old / base)
    times = np.arange(-width, width + old) / old - np.arange(new)[:, None] / new
    times = np.clip(times * base, -6, 6)
    filters = np.sinc(times) * np.cos(times * np.pi / 12) ** 2 * base / old
    padded = np.pad(samples.astype(np.float64), (width, width + old))
    windows = np.lib.stride_tricks.sliding_window_view(padded, filters.shape[1])[::old]
    return (windows @ filters.T).reshape(-1)[: -(-new * len(samples) // old)]


def resampler():
    try:
        import torch
        from torchaudio.functional import resample
    except ImportError:
        return "numpy", resample_numpy
    return "torchaudio", lambda samples, old, new: resample(torch.from_numpy(samples), old, new).numpy()


def main():
    folder = pathlib.Path(sys.argv[1])
    random = np.random.default_rng(int(sys.argv[2]))
    name, resample = resampler()
    files = []
    for i in range(48):
        container = ["WAV", "WAVEX", "RF64"][i % 3]
        encoding = ENCODINGS[i // 3 % len(ENCODINGS)]
        channels = int(random.integers(1, 5))
        old, new = (int(rate) for rate in random.choice(RATES, 2, replace=False))
        # Lengths from nothing to more than what is read at once.
        length = [0, 1, 2, int(random.integers(3, 3000)), 200_000][i % 5]
        samples = random.uniform(-1.1, 1.1, size=(length, channels))
        path = folder / f"{i}.wav"
        soundfile.write(path, samples, old, format=container, subtype=encoding)
        read, rate = soundfile.read(path, dtype="float32", always_2d=True)
        mono = read.mean(axis=1, dtype=np.float64).astype(np.float32)
        resampled = resample(mono, old, new).astype(np.float32)
        (folder / f"{i}.mono").write_bytes(mono.tobytes())
        (folder / f"{i}.resampled").write_bytes(resampled.tobytes())
        files.append({"name": f"{i}", "container": container, "encoding": encoding, "channels": channels, "fromHz": rate, "toHz": new})
    (folder / "expected.json").write_text(json.dumps({"resampler": name, "files": files}))


if __name__ == "__main__":
    main()
