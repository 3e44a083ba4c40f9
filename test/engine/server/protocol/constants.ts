/** Capability flags of the handshake. */
export const capability = {
  longPassword: 1,
  foundRows: 1 << 1,
  longFlag: 1 << 2,
  connectWithDatabase: 1 << 3,
  localFiles: 1 << 7,
  ignoreSpace: 1 << 8,
  protocol41: 1 << 9,
  interactive: 1 << 10,
  tls: 1 << 11,
  transactions: 1 << 13,
  secureConnection: 1 << 15,
  multiStatements: 1 << 16,
  multiResults: 1 << 17,
  preparedMultiResults: 1 << 18,
  pluginAuthentication: 1 << 19,
  connectionAttributes: 1 << 20,
  longAuthenticationData: 1 << 21,
} as const;

/** Status flags in OK and EOF packets. */
export const statusFlag = { inTransaction: 1, autocommit: 2, moreResults: 8 } as const;

/** First byte of a client's packet. */
export const command = {
  quit: 0x01,
  initDatabase: 0x02,
  query: 0x03,
  fieldList: 0x04,
  statistics: 0x09,
  ping: 0x0e,
  changeUser: 0x11,
  prepare: 0x16,
  execute: 0x17,
  sendLongData: 0x18,
  closeStatement: 0x19,
  resetStatement: 0x1a,
  setOption: 0x1b,
  resetConnection: 0x1f,
} as const;

/** Types of columns and parameters. */
export const columnType = {
  decimal: 0,
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  null: 6,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  newDecimal: 246,
  blob: 252,
  varString: 253,
  string: 254,
} as const;

/** Character set numbers: of text (utf8mb4_general_ci), and of bytes. */
export const characterSet = { utf8mb4: 45, binary: 63 } as const;
