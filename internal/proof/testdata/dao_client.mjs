// What the DAO half's existing front ends do, in the order in which a day brings it:
// fetch with credentials "include", JSON in and out, X-CSRF-Token from csrf-token.
// The browser around them (cookies, CORS) is browser.mjs.
//
// Environment: API, ORIGIN, EMAIL, PASSWORD. It speaks JSON lines with whoever
// started it: {"log": text}, and {"advance": seconds}, which is answered with
// {"now": ms} when the service's clock has been moved.

import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { Browser } from './browser.mjs'

const { API, ORIGIN, EMAIL, PASSWORD } = process.env
const minutes = 60_000

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const tell = (line) => process.stdout.write(JSON.stringify(line) + '\n')
const log = (text) => tell({ log: text })

let now = 0
async function advance(seconds) {
  tell({ advance: seconds })
  const { value } = await answers.next()
  now = JSON.parse(value).now
}

const browser = new Browser(() => now)

// The front ends' client.
class Client {
  constructor(tab) {
    this.tab = tab
    this.csrf = ''
  }

  async call(method, path, body, headers = {}) {
    const response = await this.tab.fetch(API + path, {
      method,
      credentials: 'include',
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    return { status: response.status, body: await response.json() }
  }

  login(password) {
    return this.call('POST', '/api/auth/login', {
      email: EMAIL,
      password,
      device_fingerprint: 'f3a1c07e9b',
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      user_agent: `node ${process.version}`,
    })
  }

  session() {
    return this.call('GET', '/api/auth/session')
  }

  async fetchCSRF() {
    const { status, body } = await this.call('GET', '/api/auth/csrf-token')
    assert.equal(status, 200)
    shape(body, { csrf_token: 'string' })
    assert.equal(body.csrf_token, this.tab.documentCookies().csrf_token, 'the page reads what the cookie says')
    this.csrf = body.csrf_token
  }

  guarded(path, body) {
    return this.call('POST', path, body, { 'X-CSRF-Token': this.csrf })
  }

  refresh() {
    return this.guarded('/api/auth/refresh')
  }
}

const kinds = {
  string: (v) => typeof v === 'string' && v !== '',
  'string or null': (v) => v === null || typeof v === 'string',
  uuid: (v) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(v),
  strings: (v) => Array.isArray(v) && v.every((each) => typeof each === 'string'),
  boolean: (v) => typeof v === 'boolean',
  ms: (v) => Number.isSafeInteger(v) && v > 1e12,
}

// Exactly these members, of these kinds.
function shape(body, members) {
  assert.deepEqual(Object.keys(body).sort(), Object.keys(members).sort())
  for (const [name, kind] of Object.entries(members)) {
    assert.ok(kinds[kind](body[name]), `${name} is ${JSON.stringify(body[name])}, want ${kind}`)
  }
}

function expires(body, access, refresh) {
  assert.equal(body.access_expires_at, access)
  assert.equal(body.refresh_expires_at, refresh)
}

async function nobody(client) {
  const { status, body } = await client.session()
  assert.equal(status, 200)
  assert.deepEqual(body, { authenticated: false })
}

async function somebody(client) {
  const { status, body } = await client.session()
  assert.equal(status, 200)
  assert.equal(body.authenticated, true)
  return body
}

const extended = { success: 'boolean', message: 'string', access_expires_at: 'ms', refresh_expires_at: 'ms' }

await advance(0)
const page = new Client(browser.open(ORIGIN))
await nobody(page)

// A wrong password, and the right one.
{
  const { status, body } = await page.login('not ' + PASSWORD)
  assert.equal(status, 401)
  assert.equal(body.success, false)
  assert.ok(kinds.string(body.message))
  assert.equal(body.code, 'invalid_credentials')
  await nobody(page)
}
const beginning = now
const end = beginning + 7 * 24 * 60 * minutes
{
  const { status, body } = await page.login(PASSWORD)
  assert.equal(status, 200)
  shape(body, { ...extended, user_id: 'uuid', membership_status: 'string' })
  assert.equal(body.success, true)
  expires(body, now + 30 * minutes, end)
  assert.equal(page.tab.documentCookies().dao_session, undefined, 'no script reads the session cookie')

  const session = await somebody(page)
  shape(session, {
    authenticated: 'boolean', user_id: 'uuid', email: 'string', display_name: 'string or null', ic_principal: 'string or null',
    membership_status: 'string', roles: 'strings', access_expires_at: 'ms', refresh_expires_at: 'ms',
  })
  assert.equal(session.user_id, body.user_id)
  assert.equal(session.email, EMAIL)
  assert.equal(session.membership_status, 'active')
  expires(session, now + 30 * minutes, end)
  log('login and session: every field, and no other')
}

// Refresh: not without the CSRF value, not with a value of one's own.
{
  const without = await page.call('POST', '/api/auth/refresh')
  assert.deepEqual([without.status, without.body.code, without.body.success], [403, 'csrf_failed', false])
  await page.fetchCSRF()
  const invented = await page.call('POST', '/api/auth/refresh', undefined, { 'X-CSRF-Token': page.csrf.replace(/.$/, '') })
  assert.deepEqual([invented.status, invented.body.code], [403, 'csrf_failed'])

  await advance(10 * 60)
  const { status, body } = await page.refresh()
  assert.equal(status, 200)
  shape(body, extended)
  assert.equal(body.success, true)
  expires(body, now + 30 * minutes, end)
}

// Ten tabs whose timers go off at the same moment. The jar is one; each page holds
// the CSRF value that it read when it was opened, and it outlives every refresh.
{
  const rounds = 50
  const tabs = Array.from({ length: 10 }, () => new Client(browser.open(ORIGIN)))
  for (const tab of tabs) await tab.fetchCSRF()
  const cookies = new Set()
  for (let round = 0; round < rounds; round++) {
    await advance(31)
    const answers = await Promise.all(tabs.map((tab) => tab.refresh()))
    for (const { status, body } of answers) assert.equal(status, 200, `round ${round}: ${JSON.stringify(body)}`)
    for (const tab of tabs) await somebody(tab)
    cookies.add(browser.cookie(API, 'dao_session'))
  }
  assert.equal(cookies.size, rounds, 'each round is one rotation')
  log(`${rounds} rounds of ${tabs.length} tabs that share a jar: nobody is signed out`)
}

// Lunch: idle for 31 minutes. The answer is "nobody", and a refresh makes it somebody.
{
  await advance(31 * 60)
  await nobody(page)
  const back = new Client(browser.open(ORIGIN)) // a page that was opened after lunch
  await back.fetchCSRF()
  const { status, body } = await back.refresh()
  assert.equal(status, 200)
  expires(body, now + 30 * minutes, end)
  await somebody(page)
  log('idle for 31 minutes: nobody; after a refresh: somebody')
}

// On to the other half.
{
  const { status, body } = await page.guarded('/api/staging_token/mint', { entry_product: 'think-tank' })
  assert.equal(status, 200)
  const to = new URL(body.redirect_url)
  assert.match(body.token, /^[0-9a-f]{64}$/)
  assert.equal(to.protocol, 'https:')
  assert.equal(to.hostname, body.target_domain)
  assert.deepEqual([...to.searchParams], [['token', body.token]])
  assert.deepEqual([body.expires_in, body.expires_at], [60, now + minutes])
  log('mint leads to ' + to.origin + to.pathname)
}

// Pages of origins that nobody allowed: a browser shows them no answer, sends no
// guarded request at all, and sends them no cookie where they are another site.
for (const stranger of ['https://elsewhere.test', new URL(ORIGIN).origin.replace(/:\d+$/, ':1'), 'null']) {
  const theirs = new Client(browser.open(stranger))
  theirs.csrf = page.csrf
  await assert.rejects(theirs.session(), /no Access-Control-Allow-Origin/)
  const sent = browser.sent
  await assert.rejects(theirs.refresh(), /preflight/)
  await assert.rejects(theirs.login(PASSWORD), /preflight/)
  assert.equal(browser.sent, sent, 'nothing goes out after a preflight that failed')
  // And one who is no browser, or finds a hole in one, meets the service itself.
  const forced = await theirs.tab.send(API + '/api/auth/logout', { method: 'POST', headers: { 'X-CSRF-Token': page.csrf } })
  assert.equal(forced.status, 403)
  assert.equal((await forced.json()).code, 'origin_not_allowed')
}
await somebody(page)
log(`${browser.preflights} preflights; strangers' origins are refused by the browser and by the service`)

// And out.
{
  const { status, body } = await page.guarded('/api/auth/logout')
  assert.equal(status, 200)
  shape(body, { success: 'boolean', message: 'string' })
  assert.equal(browser.cookie(API, 'dao_session'), undefined)
  assert.equal(browser.cookie(API, 'csrf_token'), undefined)
  await nobody(page)
  const { status: again } = await page.call('GET', '/api/auth/csrf-token')
  assert.equal(again, 401)
}
log(`${browser.sent} requests`)
process.exit(0)
