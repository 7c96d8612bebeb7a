import { invalidSetting } from '../problems.ts';
import { DETECTION_HEADS, type HeadSettings } from '../settings.ts';
import { boxesHead } from './boxes.ts';
import { detrHead } from './detr.ts';
import type { Head } from './head.ts';
import { nanodetHead } from './nanodet.ts';
import { ssdHead } from './ssd.ts';
import { yolov3Head } from './yolov3.ts';
import { yolov5Head } from './yolov5.ts';
import { yolov8Head } from './yolov8.ts';
import { yoloxHead } from './yolox.ts';

/** Throws a `ProblemError` where the settings name an output that the model has not, or lack what the head needs. */
export function createHead(settings: HeadSettings, outputs: readonly string[]): Head {
  switch (settings.head) {
    case 'yolov3':
      return yolov3Head(settings, outputs);
    case 'yolov5':
      return yolov5Head(settings, outputs);
    case 'yolov8':
      return yolov8Head(settings, outputs);
    case 'yolox':
      return yoloxHead(settings, outputs);
    case 'ssd':
      return ssdHead(settings, outputs);
    case 'nanodet':
      return nanodetHead(settings, outputs);
    case 'detr':
      return detrHead(settings, outputs);
    case 'boxes':
      return boxesHead(settings, outputs);
    default:
      throw invalidSetting(
        '/head',
        `there is no head "${(settings as { readonly head: unknown }).head}"`,
        `use one of ${DETECTION_HEADS.join(', ')}`,
      );
  }
}
