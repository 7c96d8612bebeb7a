import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findRealModels } from '../support/real-models.ts';

/** A model to hold against the peer, with the data that calibrate and run it. */
export interface PeerSubject {
  readonly name: string;
  readonly modelPath: string;
  readonly dataPath: string;
}

interface KnownModel {
  readonly name: string;
  /** In the folder of real models. */
  readonly file: string;
  /** In the folder that `PTQ_DATA` names. */
  readonly data: string;
}

/** The four models for which the peer's figures are known. */
export const BASELINE_MODELS: readonly KnownModel[] = [
  { name: 'squeezenet1_1', file: 'squeezenet1_1/squeezenet1_1.onnx', data: 'squeezenet1_1.npz' },
  {
    name: 'mobilenetv2_imagenet',
    file: 'mobilenetv2_imagenet/mobilenetv2.onnx',
    data: 'mobilenetv2_imagenet.npz',
  },
  { name: 'resnet20_cifar10', file: 'resnet20_cifar10/resnet20.onnx', data: 'resnet20_cifar10.npz' },
  { name: 'kwt1_mfcc', file: 'kwt1_speech/kwt1_mfcc.onnx', data: 'kwt1_speech.npz' },
];

export const MORE_MODELS: readonly KnownModel[] = [
  { name: 'kwt1_wave', file: 'kwt1_speech/kwt1_wave.onnx', data: 'kwt1_wave.npz' },
  { name: 'mnist_cntk', file: 'mnist_cntk/mnist.onnx', data: 'mnist_cntk.npz' },
  {
    name: 'ultraface_rfb320',
    file: 'ultraface_rfb320/version-RFB-320.onnx',
    data: 'ultraface_rfb320.npz',
  },
  { name: 'nanodet_coco', file: 'nanodet_coco/nanodet_m.onnx', data: 'nanodet_coco.npz' },
];

/** The bundled example, which is always there. */
export function bundledSubject(): PeerSubject {
  const path = fileURLToPath(new URL('../../profiles/digits/digits', import.meta.url));
  return { name: 'digits', modelPath: `${path}.onnx`, dataPath: `${path}.npz` };
}

/** Those of `known` whose model and data are there; what is missing is told to `onMissing`. */
export function findSubjects(
  known: readonly KnownModel[],
  onMissing: (reason: string) => void,
): readonly PeerSubject[] {
  const { directory, reason } = findRealModels();
  const dataFolder = process.env['PTQ_DATA'];
  if (directory === undefined) {
    onMissing(reason);
    return [];
  }
  if (dataFolder === undefined) {
    onMissing('no data: set PTQ_DATA to a folder of .npz files');
    return [];
  }
  return known.flatMap(({ name, file, data }) => {
    const subject = { name, modelPath: join(directory, file), dataPath: join(dataFolder, data) };
    const missing = [subject.modelPath, subject.dataPath].find((path) => !existsSync(path));
    if (missing === undefined) return [subject];
    onMissing(`${name} is left out: there is no ${missing}`);
    return [];
  });
}

/** The Python that has onnxruntime.quantization, or why there is none. */
export type PeerPython =
  | { readonly python: string; readonly reason: undefined }
  | { readonly python: undefined; readonly reason: string };

export function findPeerPython(): PeerPython {
  const named = process.env['PTQ_PEER_PYTHON'];
  if (named !== undefined && existsSync(named)) return { python: named, reason: undefined };
  return {
    python: undefined,
    reason:
      named === undefined
        ? 'no peer: set PTQ_PEER_PYTHON to a Python with onnxruntime and its quantization tools'
        : `PTQ_PEER_PYTHON names ${named}, which does not exist`,
  };
}

/** For measurements, which make no sense without the peer. */
export function requirePeerPython(): string {
  const { python, reason } = findPeerPython();
  if (python === undefined) throw new Error(reason);
  return python;
}

export function peerScript(name: string): string {
  return fileURLToPath(new URL(`./${name}`, import.meta.url));
}
