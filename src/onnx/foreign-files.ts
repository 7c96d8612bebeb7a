/** Says what a file that is no ONNX model probably is, from its first bytes, and how to get an ONNX model from it. */
export function describeForeignFile(start: Uint8Array): string | undefined {
  const text = Buffer.from(start).toString('latin1');
  const known = SIGNATURES.find(({ offset, bytes }) => text.startsWith(bytes, offset));
  if (known !== undefined) return known.hint;
  // Random bytes begin like a text now and then.
  if (!isText(start)) return undefined;
  const firstWord = text.trimStart().toLowerCase();
  return TEXTS.find(({ begins }) => begins.some((word) => firstWord.startsWith(word)))?.hint;
}

/** Whether bytes are UTF-8 without control characters, as far as they go: the last character may be cut off. */
function isText(start: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true });
    return !/[^\t\n\r\P{Cc}]/u.test(text);
  } catch {
    return false;
  }
}

const TO_ONNX = 'export the model with torch.onnx.export.';

const SIGNATURES: readonly { readonly offset: number; readonly bytes: string; readonly hint: string }[] = [
  {
    offset: 0,
    bytes: 'version https://git-lfs',
    hint: 'It is a Git LFS pointer: fetch the model itself with `git lfs pull`.',
  },
  {
    offset: 0,
    bytes: 'PK\x03\x04',
    hint: `It is a ZIP archive: unpack it; if it is a PyTorch checkpoint, ${TO_ONNX}`,
  },
  { offset: 0, bytes: '\x80\x02', hint: `It is a Python pickle, perhaps a PyTorch checkpoint: ${TO_ONNX}` },
  { offset: 0, bytes: '\x80\x04', hint: `It is a Python pickle, perhaps a PyTorch checkpoint: ${TO_ONNX}` },
  { offset: 4, bytes: 'TFL3', hint: 'It is a TensorFlow Lite model: convert it with tf2onnx.' },
  { offset: 4, bytes: 'ORTM', hint: 'It is an ORT-format model: use the .onnx file that it was made from.' },
  {
    offset: 0,
    bytes: '\x89HDF',
    hint: 'It is an HDF5 file, perhaps a Keras model: convert it with tf2onnx.',
  },
  { offset: 0, bytes: 'GGUF', hint: 'It is a GGUF model: export the model that it was made from to ONNX.' },
  { offset: 8, bytes: '{"', hint: `It is a safetensors file, which holds weights only: ${TO_ONNX}` },
  { offset: 0, bytes: '\x1f\x8b', hint: 'It is compressed with gzip: decompress it first.' },
];

const TEXTS: readonly { readonly begins: readonly string[]; readonly hint: string }[] = [
  {
    begins: ['<!doctype', '<html', '<?xml'],
    hint: 'It is a web page, perhaps the error of a download: download the model again.',
  },
  { begins: ['{', '['], hint: 'It is a JSON text, not a model.' },
  {
    begins: ['ir_version:'],
    hint: 'It is a model in protobuf text format: load and save it with the Python package onnx.',
  },
];
