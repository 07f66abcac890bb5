// A real identity provider on a free port of this machine, for the tests of logging in with one. Standard input is one JSON
// object a line; each is answered with a line on standard output. Whoever comes is logged in as `login_hint` says, without a
// word; what the provider knows of people, and how it misbehaves, is told by the test.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";
import { createInterface } from "node:readline";

// Standard output is for the test alone.
console.info = console.warn = console.error;

const require = createRequire(`${process.env.BONAFIDE_BROWSER_MODULES}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { default: Provider } = await load("oidc-provider");
const { SignJWT, decodeJwt, exportJWK, generateKeyPair, importJWK } = await load("jose");

const CALLBACK = "/login/oidc/callback";
const SECRET = "a secret: with signs & more";

/** What the test says: people by their subject, and what tokens become. */
let told = { people: {}, tamper: null };

const newKey = async (kid) => {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" };
};
const key = await newKey("first");
const foreignKey = await newKey("second");

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: "bonafide",
    client_secret: SECRET,
    redirect_uris: ["http://127.0.0.1/login/oidc/callback"],
    token_endpoint_auth_method: "client_secret_basic",
  }],
  jwks: { keys: [key] },
  cookies: { keys: ["of this test"] },
  pkce: { required: () => true, methods: ["S256"] },
  features: { devInteractions: { enabled: false } },
  scopes: ["openid", "profile", "email"],
  claims: { openid: ["sub"], profile: ["preferred_username", "name", "groups"], email: ["email"] },
  // Without it tokens hold what the scopes ask for, as many providers do it; with it the user info does.
  conformIdTokenClaims: process.argv[2] === "user-info",
  interactions: { url: (_, interaction) => `/as/${interaction.uid}` },
  findAccount: (_, sub) => told.people[sub] && { accountId: sub, claims: () => ({ sub, ...told.people[sub] }) },
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
});
// The port of the pages is not known yet; a provider of the world would have it registered.
provider.Client.prototype.redirectUriAllowed = (uri) => new URL(uri).hostname === "127.0.0.1" && new URL(uri).pathname === CALLBACK;

/** An ID token as something other than this provider would have made it. */
const tamper = async (token) => {
  const claims = decodeJwt(token);
  const sign = async (changed, by = key, header = {}) =>
    new SignJWT(changed).setProtectedHeader({ alg: "RS256", kid: by.kid, ...header }).sign(await importJWK(by, "RS256"));
  const now = Math.floor(Date.now() / 1000);
  const [head, , signature] = token.split(".");
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  switch (told.tamper) {
    case "none": return `${part({ alg: "none" })}.${part(claims)}.`;
    case "body": return `${head}.${part({ ...claims, sub: "mallory" })}.${signature}`;
    case "expired": return sign({ ...claims, iat: now - 3600, exp: now - 300 });
    case "nonce": return sign({ ...claims, nonce: "of another login" });
    case "audience": return sign({ ...claims, aud: "somebody else" });
    case "issuer": return sign({ ...claims, iss: "https://id.example.org" });
    case "key": return sign(claims, foreignKey);
    case "secret": return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(Buffer.from(SECRET));
    default: return token;
  }
};

provider.use(async (ctx, next) => {
  const interaction = /^\/as\/([\w-]+)$/.exec(ctx.path);
  if (interaction) {
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    const accountId = params.login_hint;
    const result = told.people[accountId] ? { login: { accountId } } : { error: "access_denied" };
    await provider.interactionFinished(ctx.req, ctx.res, result);
    ctx.respond = false;
    return;
  }
  await next();
  if (ctx.path === "/token" && ctx.body?.id_token) ctx.body.id_token = await tamper(ctx.body.id_token);
});
server.on("request", provider.callback());

console.log(JSON.stringify({ issuer }));
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.down) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  told = { ...told, ...command };
  console.log("{}");
}
process.exit(0);
