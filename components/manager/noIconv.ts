/**
 * Stands in for iconv-lite in the manager's bundle: half a megabyte of tables for character sets that a connection in utf8mb4 never asks for.
 */
export function encodingExists(): boolean {
  return false;
}

export function decode(): never {
  throw new Error("the manager speaks utf8mb4 only");
}

export const encode = decode;
export const getDecoder = decode;
export const getEncoder = decode;
