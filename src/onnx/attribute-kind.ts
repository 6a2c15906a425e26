/** ONNX's numbers for the kinds of attributes (AttributeProto.AttributeType). Kinds not listed are kept as read. */
export const ATTRIBUTE_KIND = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const;

/** TensorProto.DataLocation: where the data of a tensor is. */
export const DATA_LOCATION = { embedded: 0, external: 1 } as const;
