/** How a detector's outputs are read, and what counts as found: plain data. */
export type DetectionSettings = HeadSettings & SelectionSettings;

/** Where one of the first four is absent, it is what the head's authors evaluate with. */
export interface SelectionSettings {
  /** What scores less is not found. */
  readonly scoreThreshold?: number;
  /** Of two boxes of a class that overlap more than this (IoU) the lower scored goes. */
  readonly iouThreshold?: number;
  /** The best that are kept of a picture, such as 100 (COCO) or 300. */
  readonly maxDetections?: number;
  /** Whether a box may be found for several classes. */
  readonly multiLabel?: boolean;
  /** Lets boxes suppress those of other classes too. */
  readonly classAgnostic?: boolean;
  /** What a user is shown: such detections are compared between two models. 0.3 where it is absent. */
  readonly displayThreshold?: number;
  /** Names by the category of the truth. */
  readonly classes?: readonly string[];
  /**
   * By the model's class, the category of the truth that it is; -1 leaves a class out. The same number where absent.
   */
  readonly categories?: readonly number[];
  /** Size of what the model is fed, in pixels, for data that are no pictures: boxes are then compared in fed pixels. */
  readonly input?: { readonly width: number; readonly height: number };
}

export type HeadSettings =
  | YoloV3Settings
  | YoloV5Settings
  | YoloV8Settings
  | YoloXSettings
  | SsdSettings
  | NanoDetSettings
  | DetrSettings
  | BoxesSettings;

export const DETECTION_HEADS = [
  'yolov3',
  'yolov5',
  'yolov8',
  'yolox',
  'ssd',
  'nanodet',
  'detr',
  'boxes',
] as const satisfies readonly HeadSettings['head'][];

/**
 * Raw grids, one output a stride: [1, A · (5 + C), H, W] with x, y, w, h, objectness and class logits for each anchor.
 */
export interface YoloV3Settings {
  readonly head: 'yolov3';
  readonly levels: readonly {
    readonly output: string;
    /** Pixels from one cell of the grid to the next. */
    readonly stride: number;
    /** Width and height in fed pixels, in the model's order. */
    readonly anchors: readonly (readonly [number, number])[];
  }[];
}

/** YOLOv5 and YOLOv7, decoded: [1, N, 5 + C] with centre, size, objectness and class scores, in fed pixels. */
export interface YoloV5Settings {
  readonly head: 'yolov5';
  /** The model's only output where it is absent. */
  readonly output?: string;
}

/** YOLOv8 and YOLO11, decoded: [1, 4 + C, N] with centre, size and class scores, in fed pixels. */
export interface YoloV8Settings {
  readonly head: 'yolov8';
  /** The model's only output where it is absent. */
  readonly output?: string;
  /** Whether the output is [1, N, 4 + C] instead. Has to be said where the output has more rows than columns. */
  readonly transposed?: boolean;
}

/**
 * YOLOX as it is exported: [1, N, 5 + C], all strides one after the other; boxes relative to the grid, scores given.
 */
export interface YoloXSettings {
  readonly head: 'yolox';
  /** The model's only output where it is absent. */
  readonly output?: string;
  /** 8, 16, 32 where they are absent. */
  readonly strides?: readonly number[];
}

/** Scores [1, N, C] and boxes [1, N, 4], in shares of the fed picture. */
export interface SsdSettings {
  readonly head: 'ssd';
  /** Outputs; those named `scores` and `boxes` where they are absent. */
  readonly scores?: string;
  readonly boxes?: string;
  /** Whether the scores are logits that a softmax over the classes turns into shares. */
  readonly softmax?: boolean;
  /** Which of the scores stands for no object; it does not count as a class. `first` where it is absent. */
  readonly background?: 'first' | 'last' | 'none';
  /**
   * The priors' centre x, centre y, width, height in shares, N · 4 numbers. With them the boxes are offsets, otherwise
   * corners.
   */
  readonly priors?: readonly number[];
  /** By which the offsets were divided in training; 0.1 (centre) and 0.2 (size) where absent. */
  readonly variances?: readonly [number, number];
}

/**
 * NanoDet: for each stride class scores [1, N, C] and a distribution over 0 to regMax strides for each side [1, N, 4 ·
 * (regMax + 1)].
 */
export interface NanoDetSettings {
  readonly head: 'nanodet';
  readonly levels: readonly { readonly scores: string; readonly boxes: string; readonly stride: number }[];
  /** Whether the scores are logits; they are given as shares where it is absent. */
  readonly sigmoid?: boolean;
  /**
   * Where the point of cell (0, 0) lies, from which the sides are measured: the middle of its pixels at (stride − 1) /
   * 2 as in NanoDet-m, the `corner` at 0 as in NanoDet-Plus, or its `middle` at stride / 2. `pixels` where it is
   * absent.
   */
  readonly centre?: 'pixels' | 'corner' | 'middle';
}

/**
 * DETR and its kin: logits [1, Q, C] and boxes [1, Q, 4], centre and size in shares of the fed picture. Nothing is
 * suppressed.
 */
export interface DetrSettings {
  readonly head: 'detr';
  /** Outputs; those named `logits` and `pred_boxes` where they are absent. */
  readonly logits?: string;
  readonly boxes?: string;
  /**
   * `softmax` has a last class for no object (DETR); `sigmoid` has none (Deformable DETR, RT-DETR). `softmax` where
   * absent.
   */
  readonly activation?: 'softmax' | 'sigmoid';
}

/** Outputs that are final. */
export interface BoxesSettings {
  readonly head: 'boxes';
  /**
   * One output for all: rows of x1, y1, x2, y2, score, class, or of batch, x1, y1, x2, y2, class, score, as their
   * number of 6 or 7 says. Otherwise the three below.
   */
  readonly output?: string;
  /** Outputs [1, N, 4], [1, N] and [1, N]; those named `boxes`, `scores` and `labels` where they are absent. */
  readonly boxes?: string;
  readonly scores?: string;
  readonly labels?: string;
  /** An output that says how many of the rows count; all where it is absent. */
  readonly count?: string;
  /** `x1y1x2y2` where it is absent; `y1x1y2x2` is TensorFlow's. */
  readonly format?: 'x1y1x2y2' | 'y1x1y2x2' | 'xywh' | 'cxcywh';
  /** Pixels of the fed picture where it is absent; `shares` of it are 0 to 1. */
  readonly unit?: 'pixels' | 'shares';
  /** The number that the first class has in the output, such as 1 where 0 is the background; 0 where it is absent. */
  readonly firstLabel?: number;
}
