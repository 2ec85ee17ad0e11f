#pragma once

// True in the thread of a request that nobody waits for any more.
bool request_is_cancelled();
