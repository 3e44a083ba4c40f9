/**
 * Stands in for iconv-lite in the manager's bundle: half a megabyte of tables for character sets that a connection in utf8mb4 never asks for.
 */
function unavailable(): never {
  throw new Error("the manager speaks utf8mb4 only");
}

const noIconv = {
  encodingExists: () => false,
  decode: unavailable,
  encode: unavailable,
  getDecoder: unavailable,
  getEncoder: unavailable,
};

export default noIconv;
