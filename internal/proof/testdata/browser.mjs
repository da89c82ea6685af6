// As much of a browser as a front end's fetch notices: a cookie jar that its tabs
// share (tough-cookie, with SameSite), and the CORS protocol with its preflights
// (https://fetch.spec.whatwg.org, 3.2). Node's own fetch has neither.

import { createRequire } from 'node:module'

const { CookieJar } = createRequire(import.meta.url)('tough-cookie') // found by NODE_PATH

// Enough for pages and a service on addresses: there is no public suffix to know. A
// site has no port; an opaque origin is the same site as none.
function sameSite(origin, url) {
  if (origin === 'null') return false
  const a = new URL(origin)
  return a.protocol === url.protocol && a.hostname === url.hostname
}

const safelisted = (name, value) =>
  ['accept', 'accept-language', 'content-language'].includes(name) ||
  (name === 'content-type' && /^(text\/plain|multipart\/form-data|application\/x-www-form-urlencoded)/.test(value))

const words = (header) => (header ?? '').split(',').map((word) => word.trim())

export class Browser {
  #jar = new CookieJar()
  #now
  allowed = new Set() // the preflight cache, which tabs of one origin share
  sent = 0 // requests, without preflights
  preflights = 0

  // now gives the time by which cookies end, in ms.
  constructor(now) {
    this.#now = now
  }

  open(origin) {
    return new Tab(this, origin)
  }

  // What the browser itself sees.
  cookie(url, name) {
    return this.#jar.getCookiesSync(url, { now: new Date(this.#now()) }).find((cookie) => cookie.key === name)?.value
  }

  cookiesFor(origin, url) {
    return this.#jar.getCookiesSync(url.href, this.#context(origin, url))
  }

  keep(origin, url, response) {
    for (const line of response.headers.getSetCookie()) {
      this.#jar.setCookieSync(line, url.href, { ...this.#context(origin, url), ignoreError: true })
    }
  }

  // A fetch is no navigation: from another site it carries no cookie that is Lax.
  #context(origin, url) {
    return { now: new Date(this.#now()), sameSiteContext: sameSite(origin, url) ? 'strict' : 'none' }
  }
}

class Tab {
  #browser
  #origin
  #api // the last that was asked

  constructor(browser, origin) {
    this.#browser = browser
    this.#origin = origin
  }

  // document.cookie of a page that shares the service's host, as an object.
  documentCookies() {
    const cookies = this.#browser.cookiesFor(this.#origin, new URL(this.#api)).filter((cookie) => !cookie.httpOnly)
    return Object.fromEntries(cookies.map((cookie) => [cookie.key, cookie.value]))
  }

  async fetch(to, { method = 'GET', headers = {}, body, credentials = 'same-origin' } = {}) {
    const url = new URL(to)
    this.#api = url.origin
    const crossOrigin = url.origin !== this.#origin
    if (crossOrigin) await this.#preflight(url, method, headers)
    const response = await this.send(to, { method, headers, body, credentials })
    if (crossOrigin) this.#check(response, credentials)
    return response
  }

  // send is fetch without the protection of whoever is asked.
  async send(to, { method = 'GET', headers = {}, body, credentials = 'include' } = {}) {
    const url = new URL(to)
    const own = { ...headers, Origin: this.#origin, 'Sec-Fetch-Site': sameSite(this.#origin, url) ? 'same-site' : 'cross-site' }
    if (credentials === 'include') {
      const cookies = this.#browser.cookiesFor(this.#origin, url)
      if (cookies.length > 0) own.Cookie = cookies.map((cookie) => cookie.cookieString()).join('; ')
    }
    this.#browser.sent++
    const response = await fetch(url, { method, headers: own, body, redirect: 'error' })
    // Before the page may know of the answer, and whether or not it may.
    if (credentials === 'include') this.#browser.keep(this.#origin, url, response)
    return response
  }

  async #preflight(url, method, headers) {
    const unsafe = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]).filter(([name, value]) => !safelisted(name, value))
    const names = unsafe.map(([name]) => name).sort()
    if (['GET', 'HEAD', 'POST'].includes(method) && names.length === 0) return
    const known = [this.#origin, method, url.href, ...names].join(' ')
    if (this.#browser.allowed.has(known)) return
    this.#browser.preflights++
    const response = await fetch(url, {
      method: 'OPTIONS',
      headers: { Origin: this.#origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': names.join(',') },
    })
    const refuse = (why) => { throw new TypeError(`preflight: ${why}`) }
    if (!response.ok) refuse(`status ${response.status}`)
    this.#check(response, 'include', 'preflight: ')
    const methods = words(response.headers.get('access-control-allow-methods'))
    if (!['GET', 'HEAD', 'POST'].includes(method) && !methods.includes(method)) refuse(`no ${method}`)
    // With credentials "*" is a header of that name and nothing else.
    const allowed = words(response.headers.get('access-control-allow-headers')).map((name) => name.toLowerCase())
    for (const name of names) if (!allowed.includes(name)) refuse(`no ${name}`)
    if (Number(response.headers.get('access-control-max-age')) > 0) this.#browser.allowed.add(known)
  }

  #check(response, credentials, what = '') {
    const allowed = response.headers.get('access-control-allow-origin')
    if (allowed === null) throw new TypeError(what + 'no Access-Control-Allow-Origin')
    if (credentials === 'include') {
      if (allowed !== this.#origin) throw new TypeError(`${what}Access-Control-Allow-Origin is ${allowed}`)
      if (response.headers.get('access-control-allow-credentials') !== 'true') throw new TypeError(what + 'no Access-Control-Allow-Credentials')
    } else if (allowed !== '*' && allowed !== this.#origin) {
      throw new TypeError(`${what}Access-Control-Allow-Origin is ${allowed}`)
    }
    // Else a cache that both share gives one origin's permission to another.
    if (!words(response.headers.get('vary')).some((word) => word.toLowerCase() === 'origin')) throw new TypeError(what + 'no Vary: Origin')
  }
}
