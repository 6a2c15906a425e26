/** HDF5 object headers: the list of messages that says what an object is (HDF5 File Format Specification 3.0, IV.A). */
import {
  address,
  type Cursor,
  expectSignature,
  type Hdf5Context,
  hdf5Error,
  length,
  roomAt,
  structureAt,
  take,
  uint,
} from "./hdf5-cursor.ts";

/** Message types that are read. */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

/** One message of an object header. */
export interface Message {
  readonly type: number;
  /** The message is kept elsewhere and shared; its bytes are a reference. */
  readonly isShared: boolean;
  readonly bytes: Uint8Array;
}

/** A header is read in blocks of at most this size. */
const MAX_BLOCK_BYTES = 2 ** 24;
const MAX_MESSAGES = 2 ** 16;

interface Block {
  readonly address: number;
  readonly bytes: number;
}

/** The messages of the object at an address. @throws RootstockError BAD_MODEL */
export function readMessages(h: Hdf5Context, at: number): Message[] {
  const start = structureAt(h, at, roomAt(h, at, 16));
  const isFirstVersion = start.bytes[0] === 1;
  const messages: Message[] = [];
  const blocks: Block[] = [];
  const hasOrder = ((start.bytes[5] ?? 0) & 0x04) !== 0;
  blocks.push(isFirstVersion ? firstBlock1(h, at, start) : firstBlock2(h, at));
  for (let i = 0; i < blocks.length; i++) {
    const { address: block, bytes } = blocks[i]!;
    if (bytes > MAX_BLOCK_BYTES) throw hdf5Error(h, `a header in it claims ${bytes} bytes`);
    const c = structureAt(h, block, bytes);
    if (!isFirstVersion && i > 0) expectSignature(h, c, "OCHK");
    for (const message of isFirstVersion ? readBlock1(h, c) : readBlock2(h, c, hasOrder)) {
      if (message.type === MESSAGE.continuation) {
        const next: Cursor = { bytes: message.bytes, position: 0 };
        blocks.push({ address: address(h, next), bytes: length(h, next) });
      } else messages.push(message);
      if (messages.length > MAX_MESSAGES) throw hdf5Error(h, "a header in it has too many messages");
    }
  }
  return messages;
}

/** Version 1: 16 bytes, then messages; a continuation block is nothing but messages. */
function firstBlock1(h: Hdf5Context, at: number, c: Cursor): Block {
  c.position = 8;
  return { address: at + 16, bytes: uint(h, c, 4) };
}

function readBlock1(h: Hdf5Context, c: Cursor): Message[] {
  const messages: Message[] = [];
  while (c.position + 8 <= c.bytes.length) {
    const type = uint(h, c, 2);
    const bytes = uint(h, c, 2);
    const flags = uint(h, c, 1);
    take(h, c, 3);
    messages.push({ type, isShared: (flags & 2) !== 0, bytes: take(h, c, bytes) });
  }
  return messages;
}

/** Version 2: the prefix has a variable length, and every block ends with a checksum. */
function firstBlock2(h: Hdf5Context, at: number): Block {
  const c = structureAt(h, at, roomAt(h, at, 64));
  expectSignature(h, c, "OHDR");
  const version = uint(h, c, 1);
  if (version !== 2) throw hdf5Error(h, `an object header in it has version ${version}; 1 and 2 are known`);
  const flags = uint(h, c, 1);
  if (flags & 0x20) take(h, c, 16); // times
  if (flags & 0x10) take(h, c, 4); // limits of attribute storage
  const bytes = uint(h, c, 1 << (flags & 3));
  return { address: at + c.position, bytes: bytes + 4 };
}

/** @param hasOrder whether messages carry the order in which they were made. */
function readBlock2(h: Hdf5Context, c: Cursor, hasOrder: boolean): Message[] {
  const messages: Message[] = [];
  const end = c.bytes.length - 4; // the checksum
  while (c.position + (hasOrder ? 6 : 4) <= end) {
    const type = uint(h, c, 1);
    const bytes = uint(h, c, 2);
    const flags = uint(h, c, 1);
    if (hasOrder) take(h, c, 2);
    messages.push({ type, isShared: (flags & 2) !== 0, bytes: take(h, c, bytes) });
  }
  return messages;
}
