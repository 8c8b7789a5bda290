// How a string under a string becomes entries, and back.
//
// "note" → "hello"            localStorage/note = "hello"
// what JSON cannot hold       localStorage/note = {"utf16": base64}
// longer than an entry        localStorage/note = {"pieces": n}, and the pieces localStorage/~dot~/<hash>/0 …
// a key that is no entry key  localStorage/~dot~/<hash> = {"key": …, "value": one of the above}

const PREFIX = "localStorage/";
const OWN_PREFIX = `${PREFIX}~dot~/`;
const KEY_BYTES = 400;
const VALUE_BYTES = 256 * 1024;
const PIECE_UNITS = 80_000; // at most three bytes each, so always below VALUE_BYTES
const SMALL_BYTES = 64;

const PLAIN = /^[ !#-[\]-~]*$/; // one byte a character in JSON
const LONE_SURROGATE_OR_NUL = /\p{Surrogate}|\0/u;
const NOT_IN_KEYS = /\p{Surrogate}|\p{Control}/u;
const utf8 = new TextEncoder();

function utf8Bytes(text) {
  return PLAIN.test(text) ? text.length : utf8.encode(text).length;
}

function jsonBytes(text) {
  return PLAIN.test(text) ? text.length + 2 : utf8.encode(JSON.stringify(text)).length;
}

function entryKeyOf(key) {
  const isOne = key !== "" && !NOT_IN_KEYS.test(key) && utf8Bytes(key) <= KEY_BYTES && !(PREFIX + key).startsWith(OWN_PREFIX);
  return isOne ? PREFIX + key : OWN_PREFIX + hash(key);
}

// 106 bits (two rounds of cyrb53, public domain): enough that two keys of one person never meet.
function hash(text) {
  return [0x9e3779b9, 0x85ebca6b].map((seed) => hash53(text, seed).toString(36)).join("");
}

function hash53(text, seed) {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

// As it is where JSON holds it in about three bytes a unit; base64 of UTF-16 never needs more than that. So 5 Mi units
// always fit into the 16 MiB of an installation.
function encodeText(text) {
  const isText = !LONE_SURROGATE_OR_NUL.test(text) && jsonBytes(text) <= 3 * text.length + SMALL_BYTES;
  return isText ? text : { utf16: toBase64(text) };
}

function decodeText(value) {
  return typeof value === "string" ? value : fromBase64(value.utf16);
}

function toBase64(text) {
  let bytes = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes += String.fromCharCode(unit & 0xff, unit >> 8);
  }
  return btoa(bytes);
}

function fromBase64(base64) {
  const bytes = atob(base64);
  let text = "";
  for (let i = 0; i < bytes.length; i += 2) {
    text += String.fromCharCode(bytes.charCodeAt(i) | (bytes.charCodeAt(i + 1) << 8));
  }
  return text;
}

function cut(text) {
  const pieces = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + PIECE_UNITS, text.length);
    if (end < text.length && /[\uD800-\uDBFF]/.test(text[end - 1])) {
      end -= 1; // a pair stays together
    }
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

const pieceKey = (key, index) => `${OWN_PREFIX}${hash(key)}/${index}`;

function fitsOneEntry(text) {
  return text.length <= PIECE_UNITS || (jsonBytes(text) <= VALUE_BYTES && typeof encodeText(text) === "string");
}

// Entry keys that the platform may have: what was there at the start, and whatever was sent since.
const maybeStored = new Set();

const deletionOf = (entryKey) => ({ op: "delete", key: entryKey });

// The operations of a batch that put *text* under *key*, or with null delete it.
function operationsFor(key, text) {
  const entryKey = entryKeyOf(key);
  const pieces = text === null || fitsOneEntry(text) ? [] : cut(text);
  const operations = pieces.map((piece, index) => ({ op: "put", key: pieceKey(key, index), value: encodeText(piece) }));
  if (text !== null) {
    const value = pieces.length ? { pieces: pieces.length } : encodeText(text);
    const isOwn = entryKey.startsWith(OWN_PREFIX);
    operations.push({ op: "put", key: entryKey, value: isOwn ? { key: encodeText(key), value } : value });
  } else if (maybeStored.has(entryKey)) {
    operations.push(deletionOf(entryKey));
  }
  for (let index = pieces.length; maybeStored.has(pieceKey(key, index)); index++) {
    operations.push(deletionOf(pieceKey(key, index)));
  }
  return operations;
}

// [key, text, number of pieces] of an entry; null for a piece and for what an app put there by other means.
// *find* returns the value of another entry.
function decodeEntry(entryKey, entryValue, find) {
  let key = entryKey.slice(PREFIX.length);
  let value = entryValue;
  if (entryKey.startsWith(OWN_PREFIX)) {
    if (entryKey.slice(OWN_PREFIX.length).includes("/")) {
      return null;
    }
    key = decodeText(value.key);
    value = value.value;
  }
  if (typeof value === "string" || typeof value?.utf16 === "string") {
    return [key, decodeText(value), 0];
  }
  if (!Number.isInteger(value?.pieces)) {
    return [key, JSON.stringify(value), 0]; // written through the API: show what is there
  }
  const pieces = Array.from({ length: value.pieces }, (_, index) => find(pieceKey(key, index)));
  return pieces.includes(undefined) ? null : [key, pieces.map(decodeText).join(""), value.pieces];
}
