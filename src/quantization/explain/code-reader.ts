import { intAttribute } from '../../onnx/attributes.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../../onnx/messages.ts';
import { quantizeValues } from '../affine.ts';
import type { GraphView } from '../graph-view.ts';
import { type CodedConstant, codedConstant, codeRange, readFloats, readNumbers } from './coded-constant.ts';
import type { ActivationGrid, CodedName, RoundedTensor } from './quantized-node.ts';

/** Knows, while it is led through the nodes of a graph in their order, which tensors are codes and what they stand for. */
export interface CodeReader {
  /** A QuantizeLinear, DequantizeLinear or DynamicQuantizeLinear. */
  convert(node: NodeProto): void;
  /** The tensor that a QuantizeLinear rounds, as it is then known. */
  quantized(node: NodeProto): RoundedTensor | undefined;
  /** What a float tensor is once its DequantizeLinear has given it, or what codes stand for. */
  roundedOf(name: string): RoundedTensor | undefined;
  /** A constant behind a DequantizeLinear. */
  constantOf(name: string): CodedConstant | undefined;
  /** Constant codes beside their scale and zero point. @param axis of a scale for each channel */
  constant(coded: CodedName, axis: number | undefined): CodedConstant | undefined;
  /** Codes that are no constant, with what they mean. */
  codesCalled(name: string): CodedName | undefined;
  /** Notes that an operator gives codes. */
  gives(codes: string, coded: Omit<CodedName, 'codes'>): RoundedTensor;
}

export function createCodeReader({ model, index }: GraphView): CodeReader {
  const rounded = new Map<string, RoundedTensor>();
  const constants = new Map<string, CodedConstant>();
  const named = new Map<string, CodedName>();
  const tensorOf = (name: string): TensorProto | undefined => index.initializers.get(name);
  const aliasesOf = (codes: string): string[] => {
    const dequantized = (index.consumersOf.get(codes) ?? []).flatMap(({ node, inputIndex }) =>
      node.opType === 'DequantizeLinear' && inputIndex === 0 ? (node.output[0] ?? []) : [],
    );
    return [...dequantized, codes, codes.replace(/_quantized(_\d+)?$/, '')];
  };
  const gridOf = (scale: string, zeroPoint: string): ActivationGrid | undefined => {
    const scaleTensor = tensorOf(scale);
    if (scaleTensor === undefined) return undefined;
    const dataType = tensorOf(zeroPoint)?.dataType ?? DATA_TYPE.uint8;
    const codes = codeRange(dataType);
    const scales = readFloats(model, scaleTensor);
    if (codes === undefined || scales.length !== 1) return undefined;
    return {
      scale: scales[0] as number,
      zeroPoint: readNumbers(model, tensorOf(zeroPoint))[0] ?? 0,
      codes,
      dataType,
    };
  };
  const floatOf = (codes: string): string | undefined =>
    (index.consumersOf.get(codes) ?? []).find(
      ({ node, inputIndex }) => node.opType === 'DequantizeLinear' && inputIndex === 0,
    )?.node.output[0];
  const note = (
    coded: CodedName,
    id: string,
    aliases: readonly string[],
    isDynamic: boolean,
  ): RoundedTensor => {
    const known = rounded.get(coded.codes);
    if (known !== undefined) return known;
    const dequantized = floatOf(coded.codes);
    const tensor: RoundedTensor = {
      id,
      aliases: [...new Set(aliases)],
      grid: isDynamic ? undefined : gridOf(coded.scale, coded.zeroPoint),
      // What is rounded anew for each input is told before it is rounded: its scale is no constant.
      seen: isDynamic ? { float: id } : dequantized === undefined ? { codes: coded } : { float: dequantized },
    };
    rounded.set(coded.codes, tensor);
    named.set(coded.codes, coded);
    return tensor;
  };
  const quantized = (node: NodeProto): RoundedTensor | undefined => {
    const [from = '', scale = '', zeroPoint = ''] = node.input;
    const codes = node.output[0] ?? '';
    if (index.initializers.has(from)) return undefined;
    // What is rounded a second time, to another grid, is another tensor.
    const id = rounded.has(from) ? codes : from;
    return note({ codes, scale, zeroPoint }, id, [from, ...aliasesOf(codes)], false);
  };
  const constant: CodeReader['constant'] = ({ codes, scale, zeroPoint }, axis) => {
    const tensor = tensorOf(codes);
    const scales = tensorOf(scale);
    if (tensor === undefined || scales === undefined) return undefined;
    const layout = { axis, blockSize: 0 };
    return codedConstant(
      model,
      tensor,
      readFloats(model, scales),
      readNumbers(model, tensorOf(zeroPoint)),
      layout,
    );
  };
  const dequantize = (node: NodeProto): void => {
    const [codes = '', scale = '', zeroPoint = ''] = node.input;
    const output = node.output[0] ?? '';
    const activation = rounded.get(codes);
    if (activation !== undefined) {
      rounded.set(output, activation);
      return;
    }
    const tensor = tensorOf(codes);
    const scales = tensorOf(scale);
    if (scales === undefined) return;
    if (tensor !== undefined) {
      const dims = tensor.dims.length;
      const axis = intAttribute(node, 'axis') ?? 1;
      const layout = {
        axis: axis < 0 ? axis + dims : Math.min(axis, Math.max(0, dims - 1)),
        blockSize: intAttribute(node, 'block_size') ?? 0,
      };
      const zeroPoints = readNumbers(model, tensorOf(zeroPoint));
      constants.set(output, codedConstant(model, tensor, readFloats(model, scales), zeroPoints, layout));
      return;
    }
    const rounding = index.producerOf.get(codes);
    const source = tensorOf(rounding?.input[0] ?? '');
    if (rounding?.opType === 'QuantizeLinear' && source !== undefined) {
      const grid = gridOf(scale, zeroPoint);
      if (grid !== undefined) constants.set(output, roundedConstant(source, grid));
    }
  };
  /** Weights that the model keeps as floats and rounds when it runs. */
  const roundedConstant = (source: TensorProto, grid: ActivationGrid): CodedConstant => {
    const codes = () => {
      const values = readFloats(model, source);
      return quantizeValues(values, grid, grid.codes, new Int32Array(values.length));
    };
    return {
      dims: source.dims,
      codes,
      range: grid.codes,
      scales: Float32Array.of(grid.scale),
      axis: undefined,
      values: () => Float32Array.from(codes(), (code) => (code - grid.zeroPoint) * grid.scale),
    };
  };
  return {
    quantized,
    constant,
    roundedOf: (name) => rounded.get(name),
    codesCalled: (name) => named.get(name),
    constantOf: (name) => constants.get(name),
    gives: (codes, { scale, zeroPoint }) => note({ codes, scale, zeroPoint }, codes, aliasesOf(codes), false),
    convert: (node) => {
      if (node.opType === 'DequantizeLinear') return dequantize(node);
      if (node.opType === 'QuantizeLinear') {
        quantized(node);
        return;
      }
      const [codes = '', scale = '', zeroPoint = ''] = node.output;
      const from = node.input[0] ?? '';
      note({ codes, scale, zeroPoint }, from, [from], true);
    },
  };
}
