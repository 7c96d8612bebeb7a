import type { OnnxModel } from '../../src/onnx/model-file.ts';
import { eliminateDead } from '../../src/onnx/passes/eliminate-dead.ts';
import { viewGraph } from '../../src/quantization/graph-view.ts';
import { type QOperatorReport, toQOperator } from '../../src/quantization/qoperator/to-qoperator.ts';
import { copyOf, quantizeInMemory } from './quantize-in-memory.ts';
import type { Feeds } from './run-model.ts';
import { unwrap } from './unwrap.ts';

export interface QuantizedOnCodes {
  /** The Q/DQ graph that the other was made of. */
  readonly qdq: OnnxModel;
  readonly onCodes: OnnxModel;
  readonly report: QOperatorReport;
}

/** Quantizes a copy of `given` to Q/DQ, and that to operators on codes. */
export async function quantizeOnCodes(
  given: OnnxModel,
  samples: readonly Feeds[],
  options: Parameters<typeof quantizeInMemory>[2] = {},
): Promise<QuantizedOnCodes> {
  const { quantized, placement } = await quantizeInMemory(given, samples, options);
  const qdq = copyOf(quantized);
  const report = unwrap(toQOperator(viewGraph(quantized), placement.nodes));
  eliminateDead(quantized);
  return { qdq, onCodes: quantized, report };
}
