/** libjpeg-turbo as WebAssembly. The package brings no types; these are of what is used of it. */
declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs' {
  interface JPEGDecoder {
    /** Memory of the decoder for the bytes of a file. */
    getEncodedBuffer(sizeBytes: number): Uint8Array;
    /** Throws a number where the file is damaged, or where the library warns of anything. */
    decode(): void;
    /** Memory of the decoder, valid until the next call. */
    getDecodedBuffer(): Uint8Array;
    getFrameInfo(): { readonly width: number; readonly height: number; readonly componentCount: number };
  }

  function createCodec(): Promise<{ readonly JPEGDecoder: new () => JPEGDecoder }>;
  export = createCodec;
}
