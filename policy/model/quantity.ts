/** Powers of 1024 in MariaDB's sizes, of 1024 (`Ki`) and 1000 (`k`) in Kubernetes' quantities. */
const mariadbSuffixes = ["", "k", "m", "g", "t", "p", "e"];
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const decimalSuffixes = ["", "k", "M", "G", "T", "P", "E"];

/** Bytes of a MariaDB size: `128M`, `1073741824`. Undefined for anything else. */
export function mariadbBytes(text: string): number | undefined {
  const [, digits, suffix = ""] = /^(\d{1,20})([a-z]?)$/.exec(text.trim().toLowerCase()) ?? [];
  const power = mariadbSuffixes.indexOf(suffix);
  return digits === undefined || power < 0 ? undefined : Number(digits) * 1024 ** power;
}

/** Bytes of a Kubernetes quantity of memory or storage: `4Gi`, `500M`, `1.5e9`. Undefined for anything else. */
export function kubernetesBytes(text: string): number | undefined {
  const [, number, suffix = ""] = /^(\d{1,20}(?:\.\d{1,20})?(?:e\d{1,2})?)([A-Za-z]{0,2})$/.exec(text.trim()) ?? [];
  if (number === undefined) return undefined;
  const binary = binarySuffixes.indexOf(suffix);
  if (binary >= 0) return Number(number) * 1024 ** binary;
  const decimal = decimalSuffixes.indexOf(suffix);
  return decimal >= 0 ? Number(number) * 1000 ** decimal : undefined;
}
