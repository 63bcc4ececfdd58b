/** The package has no types of its own; this is the shape kafkajs asks of a codec. */
declare module 'kafkajs-snappy' {
  const createSnappyCodec: () => {
    readonly compress: (encoder: { readonly buffer: Buffer }) => Promise<Buffer>;
    readonly decompress: (buffer: Buffer) => Promise<Buffer>;
  };
  export = createSnappyCodec;
}
