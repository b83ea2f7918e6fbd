// A certified authorization server for the tests: `node issuer.mjs PORT`, then a command a line on standard input, each
// answered by a line. It ends with its input.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const SCOPES = 'profiles:read profiles:write profiles:admin tenants:admin self:read self:write';

// client_id -> what its tokens say of tenants.
const TENANTS = { acme: 'acme', both: ['acme', 'beta'], all: '*', lost: undefined };

function keys() {
  const made = [
    ['rsa', { modulusLength: 2048 }, {}],
    ['ec', { namedCurve: 'P-256' }, { alg: 'ES256' }],
    ['ec', { namedCurve: 'P-384' }, { alg: 'ES384' }],
    ['ed25519', {}, { alg: 'EdDSA' }],
  ];
  return made.map(([type, options, extra]) => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), ...extra, use: 'sig', kid: randomUUID(),
  }));
}

// A resource is urn:jwt:<alg>, urn:opaque or urn:other (another audience).
function resourceServer(resource) {
  const [, kind, alg] = resource.split(':');
  const jwt = { accessTokenFormat: 'jwt', jwt: { sign: { alg: alg ?? 'RS256' } } };
  return { scope: SCOPES, audience: kind === 'other' ? 'other' : 'n_users', accessTokenTTL: 3600, ...(kind === 'opaque' ? { accessTokenFormat: 'opaque' } : jwt) };
}

function provider(jwks) {
  const made = new Provider(issuer, {
    jwks: { keys: jwks },
    clients: Object.keys(TENANTS).map((client_id) => ({
      client_id, client_secret: `${client_id} secret`, grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
    })),
    scopes: SCOPES.split(' '),
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: { enabled: true, getResourceServerInfo: (ctx, resource) => resourceServer(resource) },
    },
    extraTokenClaims: (ctx, token) => ({ tenant: TENANTS[token.clientId] }),
  });
  return made.callback();
}

let published = keys();
let answer = provider(published);
createServer((request, response) => answer(request, response)).listen(port, '127.0.0.1', () => console.log('ready'));

const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => {
  // The first key that fits signs; the old ones stay published for the tokens that they have signed.
  if (line === 'rotate') published = [...keys(), ...published];
  answer = provider(published);
  console.log(`done ${line}`);
});
commands.on('close', () => process.exit(0));
