#include "net/websocket.h"
