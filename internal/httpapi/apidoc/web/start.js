// The description is beside this page, wherever the page is: an address from the query
// would make the viewer show, and send requests for, somebody else's.
"use strict";

SwaggerUIBundle({
  url: document.body.dataset.description,
  dom_id: "#description",
  queryConfigEnabled: false,
  validatorUrl: null, // it would ask a server elsewhere
  deepLinking: true,
  displayRequestDuration: true,
  withCredentials: true,
  // Nothing that is typed here is kept.
  persistAuthorization: false,
});
