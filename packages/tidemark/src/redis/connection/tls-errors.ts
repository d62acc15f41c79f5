/** The failures of TLS to Redis, in words for people. */

const AUTHORITY = 'give the certificate of its authority as `tls.ca` (REDIS_TLS_CA)';
const OWN_CERTIFICATE =
  'give a certificate that it accepts as `tls.cert` and `tls.key` (REDIS_TLS_CERT, REDIS_TLS_KEY)';

const UNKNOWN_AUTHORITY = [
  'no authority that this process trusts has signed the certificate of the server',
  AUTHORITY,
] as const;
const REFUSED = [
  'the server has refused the certificate of this process',
  OWN_CERTIFICATE,
] as const;

/** The problem and its remedy, by the code of the error. */
const TROUBLES: Readonly<Record<string, readonly [problem: string, remedy: string]>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: ['the certificate of the server has expired', 'renew it'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'the certificate of the server is for other names than its address',
    'use one of its names as the address, or give that name as `tls.servername`',
  ],
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: [
    'the server requires a certificate of this process',
    OWN_CERTIFICATE,
  ],
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: REFUSED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: REFUSED,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: REFUSED,
};

/** `undefined` for an error of another kind. */
export function describeTlsError(error: Error): string | undefined {
  const trouble = 'code' in error ? TROUBLES[String(error.code)] : undefined;
  return trouble && `TLS failed: ${trouble.join('; ')}`;
}
