/** Where clients get their tokens. */
export const TOKEN_PATH = '/v1/oauth/token';
export const GRANT_TYPES = ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'] as const;
