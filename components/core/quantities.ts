/** Bytes in a kibibyte, a mebibyte, a gibibyte. */
export const kibibyte = 1024;
export const mebibyte = 1024 * kibibyte;
export const gibibyte = 1024 * mebibyte;

const units: [suffix: string, bytes: number][] = [
  ["Gi", gibibyte],
  ["Mi", mebibyte],
  ["Ki", kibibyte],
];

/** Bytes as Kubernetes writes them: `6Gi`, `5728Mi`, exact in every case. */
export function byteQuantity(bytes: number): string {
  const unit = units.find(([, size]) => bytes >= size && bytes % size === 0);
  return unit ? `${bytes / unit[1]}${unit[0]}` : String(bytes);
}

/** CPU cores as Kubernetes writes them, exact to a thousandth: `2`, `1500m`. */
export function cpuQuantity(cores: number): string {
  const millicores = Math.round(cores * 1000);
  return millicores % 1000 === 0 ? String(millicores / 1000) : `${millicores}m`;
}

/** Bytes as MariaDB's configuration writes them: `8M`, `2G`, exact in every case. */
export function mariadbSize(bytes: number): string {
  const quantity = byteQuantity(bytes);
  return quantity.endsWith("i") ? quantity.slice(0, -1) : quantity;
}

/** Bytes for people: `5728 MiB`. */
export function inMebibytes(bytes: number): string {
  return `${Math.round(bytes / mebibyte)} MiB`;
}
