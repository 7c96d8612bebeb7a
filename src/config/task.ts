import { resolve } from 'node:path';
import type { TaskName, TaskSettingsSource, TaskSource } from './task-schema.ts';

/** What a model is for, with the settings as they were written and paths absolute. */
export interface ProfileTask {
  readonly name: TaskName | 'own';
  readonly settings: Readonly<Omit<TaskSettingsSource, 'name' | 'module'>>;
  /** Of a task of the user's own. */
  readonly module?: string;
}

type Setting = keyof ProfileTask['settings'];

/** Fills in the name and makes paths absolute. `folder` is that of the file. */
export function resolveTask(source: TaskSource | undefined, folder: string): ProfileTask {
  if (source === undefined) return { name: 'fidelity', settings: {} };
  if (typeof source === 'string') return { name: source, settings: {} };
  const { name = 'fidelity', module, vocabulary, ...settings } = source;
  const resolved = {
    ...settings,
    ...(vocabulary === undefined
      ? {}
      : { vocabulary: typeof vocabulary === 'string' ? resolve(folder, vocabulary) : vocabulary }),
  };
  return module === undefined
    ? { name, settings: resolved }
    : { name: 'own', settings: resolved, module: resolve(folder, module) };
}

const DETECTION: readonly Setting[] = [
  'head',
  'output',
  'classes',
  'scoreThreshold',
  'iouThreshold',
  'maxDetections',
  'multiLabel',
  'classAgnostic',
  'displayThreshold',
  'categories',
  'levels',
  'transposed',
  'strides',
  'scores',
  'boxes',
  'labels',
  'count',
  'logits',
  'softmax',
  'sigmoid',
  'background',
  'priors',
  'variances',
  'centre',
  'format',
  'unit',
  'firstLabel',
  'input',
  'activation',
];

const SETTINGS: Readonly<Record<ProfileTask['name'], readonly Setting[]>> = {
  own: [],
  fidelity: [],
  classification: ['output', 'classes'],
  'multi-label': ['output', 'threshold', 'activation'],
  regression: ['output', 'tolerance', 'mape'],
  embedding: ['output', 'k', 'maxItems', 'minCosine'],
  segmentation: ['output', 'ignore', 'minAgreement', 'layout', 'threshold'],
  detection: DETECTION,
  'binary-over-time': ['output', 'threshold', 'activation'],
  'token-classification': ['output', 'tags', 'spans', 'outside'],
  'span-answer': ['startOutput', 'endOutput', 'maxAnswerLength'],
  transcription: ['output', 'vocabulary', 'decoding', 'blank', 'special', 'wordDelimiter', 'normalize'],
};

/** A setting that its task does not know, so that it would do nothing, and what the task knows. */
export function foreignTaskSetting({
  name,
  settings,
}: ProfileTask): { readonly setting: string; readonly known: readonly string[] } | undefined {
  const known: readonly string[] = SETTINGS[name];
  const setting = Object.keys(settings).find((key) => !known.includes(key));
  return setting === undefined ? undefined : { setting, known };
}

/** Settings without which a task cannot read the outputs. */
const NEEDED: Readonly<Partial<Record<ProfileTask['name'], Setting>>> = {
  detection: 'head',
  'token-classification': 'tags',
  transcription: 'vocabulary',
};

export function missingTaskSetting({ name, settings }: ProfileTask): string | undefined {
  const needed = NEEDED[name];
  return needed === undefined || settings[needed] !== undefined ? undefined : needed;
}

/** Of every task whatever it is. */
const COMMON_METRICS = ['agreement', 'sqnr_db'];

/** The names of the metrics of a task, the one to judge by first, if the settings ask for all of them. */
export const TASK_METRICS: Readonly<Record<TaskName, readonly string[]>> = {
  fidelity: [],
  classification: ['top1', 'top5', 'balanced_accuracy'],
  'multi-label': ['f1_micro', 'f1_macro', 'subset_accuracy', 'hamming_loss', 'map_macro'],
  regression: ['mae', 'rmse', 'r2', 'mape'],
  embedding: ['neighbor_recall', 'cosine'],
  segmentation: ['miou', 'pixel_accuracy'],
  detection: [
    'map',
    'map_50',
    'map_75',
    'map_small',
    'map_medium',
    'map_large',
    'recall_100',
    'agreement_map_50',
  ],
  'binary-over-time': ['f1', 'accuracy', 'precision', 'recall', 'positive_share'],
  'token-classification': ['span_f1', 'span_precision', 'span_recall', 'token_accuracy', 'token_f1'],
  'span-answer': ['exact_match', 'f1'],
  transcription: ['wer', 'cer'],
};

/** What a budget can be given for; undefined for a task of the user's own, which says so itself. */
export function knownMetrics({ name, settings }: ProfileTask): readonly string[] | undefined {
  if (name === 'own') return undefined;
  const isMeasured = (metric: string): boolean => {
    if (metric === 'mape') return settings.mape === true;
    return settings.spans !== 'none' || !metric.startsWith('span_');
  };
  return [...TASK_METRICS[name].filter(isMeasured), ...COMMON_METRICS];
}

/** Whether the first metric has a scale of its own, so that no budget in its unit is right for every model. */
export function measuresNumbers({ name }: Pick<ProfileTask, 'name'>): boolean {
  return name === 'regression' || name === 'own';
}
