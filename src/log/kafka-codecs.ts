import { decompress as decompressZstd } from 'fzstd';
import createSnappyCodec from 'kafkajs-snappy';
import { compressFrame, compressFrameSync, decompressFrame, decompressFrameSync } from 'lz4-napi';
import { GaitError } from '../core/errors.ts';

/** The shape of a codec in kafkajs: it gives an encoder to compress and the bare bytes to decompress. */
type Codec = {
  readonly compress: (encoder: { readonly buffer: Buffer }) => Promise<Buffer>;
  readonly decompress: (buffer: Buffer) => Promise<Buffer>;
};

/** Bytes, packed and not, that take less time here than a way to another thread and back takes of this one's. */
const atOnceMax = { packed: 16 * 1024, plain: 64 * 1024 };

export const lz4Codec: Codec = {
  compress: async ({ buffer }) =>
    buffer.length <= atOnceMax.plain ? compressFrameSync(buffer) : await compressFrame(buffer),
  decompress: async (buffer) =>
    buffer.length <= atOnceMax.packed ? decompressFrameSync(buffer) : await decompressFrame(buffer),
};

export const snappyCodec: Codec = createSnappyCodec();

/** Reading only: the zstd package is plain JavaScript and has no compressor. */
export const zstdCodec: Codec = {
  compress: async () => {
    throw new GaitError('LOG_REJECTED', 'records compressed with zstd can be read but not written; use lz4 or gzip');
  },
  decompress: async (buffer) => Buffer.from(decompressZstd(buffer)),
};
