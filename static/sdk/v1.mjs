// The SDK as a module: import { dot } from "/sdk/v1.mjs", or from the npm package.
import "./v1.js";

export const { dot } = globalThis;
export const { ready, user, settings, data, metrics, flag, DotError, ConflictError, QuotaError, OfflineError, NotGrantedError } = dot;
export default dot;
