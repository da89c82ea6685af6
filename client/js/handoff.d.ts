/** The codes of the service (its errors.json has all) that a page meets; more may come. */
export type Code =
  | "session_required" | "session_revoked" | "login_required" | "csrf_failed" | "origin_not_allowed"
  | "email_unverified" | "account_inactive" | "identity_conflict" | "invalid_request"
  | "token_malformed" | "handoff_invalid" | "exchange_disabled" | "rate_limited" | "dependency_unavailable" | "internal"
  /** Ours: the connection broke, or what answered is not the service. */
  | "no_answer"
  | (string & {});

export interface Field { field: string; reason: string }

/** Of a HandoffError, beside its code; all have a default. */
export interface Particulars {
  status?: number;
  detail?: string;
  requestId?: string;
  handoffId?: string | null;
  reason?: "expired" | "used" | "invalid" | "unbound" | null;
  retryAfter?: number;
  errors?: Field[];
}

export class HandoffError extends Error {
  /** For tests of pages; the module makes those that pages meet. */
  constructor(code: Code, more?: Particulars);
  readonly code: Code;
  /** 0 where nobody answered. */
  readonly status: number;
  readonly requestId: string;
  readonly handoffId: string | null;
  /** Of handoff_invalid. */
  readonly reason: "expired" | "used" | "invalid" | "unbound" | null;
  /** Seconds; 0 if the service does not say. */
  readonly retryAfter: number;
  readonly errors: Field[];
  /** Whether the same may go better later. */
  get passes(): boolean;
}

export interface Journey {
  /** Where the person comes from: "think-tank", "lighthouse", … */
  entryProduct: string;
  /** The DAO half's address, without a slash behind; "" for this origin. */
  dao?: string;
  /** Of a journey that began at the FOS half: what its start handed over. */
  challenge?: string;
  responseMode?: "query" | "fragment" | "form_post";
  /** Seconds: who signed in longer ago is refused with login_required. */
  maxAge?: number;
  signal?: AbortSignal;
  /** Leaves, in place of this page's own way; token is null unless it is to be posted. */
  go?: (url: URL, token: string | null) => void;
}

/** path starts with one "/"; null for where the target site likes. */
export function navigateCrossDomain(target: string, path: string | null, options: Journey): Promise<{ handoffId: string }>;

export function takeToken(): string | null;

/** Times are milliseconds since 1970. */
export interface User {
  id: string; email: string; display_name: string | null; role: "founder" | "admin" | "member" | "guest";
  status: "ACTIVE" | "PENDING" | "SUSPENDED" | "DEACTIVATED"; email_verified: boolean; created_at: number;
}
export interface Session { id: string; access_expires_at: number; refresh_expires_at: number }
export interface Person { display_name: string | null; email: string }

export interface Landed { user: User; session: Session; entryProduct: string; returnPath: string | null; handoffId: string; question: null }
/** Nobody is signed in yet: show both names in full, and ask. */
export interface Asked { user: null; returnPath: null; handoffId: string; question: { as: Person; current: Person | null; /** Whether yes also connects the two accounts: say so. */ links: boolean; expiresAt: number } }

export interface Arrival { /** The FOS half's address, with its prefix; "" for this origin. */ fos?: string; signal?: AbortSignal }

export function arrive(token: string | null, options?: Arrival): Promise<Landed | Asked>;
export function confirm(handoffId: string, options?: Arrival): Promise<Landed | Asked>;
export function decline(handoffId: string, options?: Arrival): Promise<void>;
